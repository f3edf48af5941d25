// Runs before Streamlit's front end.

// Where the server is. Streamlit's front end would look for it below the page's address first: two requests that fail,
// and two errors in the browser's console, for each page that is opened by its address.
window.__streamlit = { ...window.__streamlit, BACKEND_BASE_URL: location.origin };

// Links and the browser's history: one entry for each step of the reader.
//
// Streamlit adds one for each change of the address. st.switch_page changes it in two: first the query on the page that is
// left, then the path. A page may also complete its own address as it opens, or lead on to another. What follows no act of
// the reader replaces the entry before it.
(() => {
  if (window.oneEntryAStep) return;
  window.oneEntryAStep = true;
  const push = history.pushState.bind(history);
  let acted = false; // Whether the reader has done anything since the last entry.
  // The second click of a double click is no act of its own.
  const act = (event) => (acted ||= !(event.detail > 1));
  for (const kind of ["mousedown", "click", "keydown", "change"])
    window.addEventListener(kind, act, { capture: true, passive: true });
  history.pushState = (state, title, url) => {
    if (acted) push(state, title, url);
    else history.replaceState(state, title, url);
    acted = false;
  };
  // A link to the page that is open, with another query: Streamlit runs the page for it and leaves the address as it is.
  window.addEventListener(
    "click",
    (event) => {
      const link = event.target.closest?.('a[data-testid="stPageLink-NavLink"]');
      if (!link) return;
      if (link.pathname === location.pathname && link.search !== location.search)
        history.pushState({}, "", link.href);
      // On a narrow screen the sidebar covers the page: Streamlit closes it for its own navigation alone.
      if (innerWidth < 768 && link.closest('[data-testid="stSidebar"]'))
        document.querySelector('[data-testid="stSidebarCollapseButton"] button')?.click();
    },
    { capture: true },
  );
})();

// A box that suggests as one types. It has sent what is typed before Enter is pressed, and sends nothing more then: Enter
// presses the button beside it. The arrows go through what is suggested, and from a completed word back to the box.
(() => {
  if (window.boxesSuggest) return;
  window.boxesSuggest = true;
  const boxOf = (element) => element.closest?.('[class*="st-key-suggesting-"]');
  const offered = (box) => [...box.querySelectorAll('[class*="st-key-suggestions-"] button')];
  window.addEventListener("keydown", (event) => {
    const box = boxOf(event.target);
    // What an input method takes, and what has a meaning of its own with another key.
    if (!box || event.isComposing || event.keyCode === 229) return;
    if (event.shiftKey || event.ctrlKey || event.altKey || event.metaKey) return;
    const input = box.querySelector("input");
    // After Streamlit itself, which sends what was typed within the last moment.
    if (event.key === "Enter" && event.target === input && !event.repeat)
      setTimeout(() => box.querySelector('[data-testid="stButton"] button')?.click());
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const all = [input, ...offered(box)];
    const at = all.indexOf(event.target);
    if (!step || at < 0 || !all[at + step]) return;
    event.preventDefault();
    all[at + step].focus();
  });
  window.addEventListener("click", (event) => {
    const completes = event.target.closest?.('[class*="st-key-completes-"]');
    if (completes) boxOf(completes)?.querySelector("input").focus();
  });
})();
