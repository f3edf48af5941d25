// One entry in the browser's history for each page that is opened.
//
// st.switch_page with query parameters changes the address in two steps, each an entry of its own: first the query on the
// page that is left, then the path. The second step replaces the first here, and the first no longer stays behind as the
// old page with the new page's query.
(() => {
  if (window.oneEntryAPage) return;
  window.oneEntryAPage = true;
  const SECONDS = 2;
  const push = history.pushState.bind(history);
  let left = null; // The address before a change of the query alone, and when that was.
  history.pushState = (state, title, url) => {
    const from = new URL(location.href);
    const to = new URL(url, from);
    const opens = to.pathname !== from.pathname;
    const halfway = left && opens && to.search === from.search && performance.now() - left.at < SECONDS * 1000;
    if (halfway) history.replaceState(state, title, url);
    else push(state, title, url);
    left = opens ? null : { at: performance.now() };
  };
})();
