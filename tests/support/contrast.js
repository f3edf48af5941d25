// Every text of the page with its contrast against what is behind it, as computed by the browser.
// Not looked at: what is disabled, symbols, the texts of charts (their colours have a test of their own).
() => {
  const pixel = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  const rgba = (colour) => {
    pixel.clearRect(0, 0, 1, 1);
    pixel.fillStyle = colour;
    pixel.fillRect(0, 0, 1, 1);
    const [red, green, blue, alpha] = pixel.getImageData(0, 0, 1, 1).data;
    return [red, green, blue, alpha / 255];
  };
  const over = (above, below) => [0, 1, 2].map((i) => above[i] * above[3] + below[i] * (1 - above[3]));
  const luminance = (colour) => {
    const [r, g, b] = colour.map((v) => (v / 255 <= 0.04045 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ratio = (one, other) => {
    const [light, dark] = [luminance(one), luminance(other)].sort((a, b) => b - a);
    return (light + 0.05) / (dark + 0.05);
  };
  const behind = (element) => {
    const layers = [];
    for (let at = element; at; at = at.parentElement) layers.push(rgba(getComputedStyle(at).backgroundColor));
    return layers.reverse().reduce((below, above) => over(above, below), [255, 255, 255]);
  };
  const opacity = (element) => {
    let product = 1;
    for (let at = element; at; at = at.parentElement) product *= Number(getComputedStyle(at).opacity);
    return product;
  };
  const found = [];
  const add = (text, element, colour) => {
    const below = behind(element);
    const [red, green, blue, alpha] = rgba(colour);
    const shown = over([red, green, blue, alpha * opacity(element)], below);
    found.push({ text: text.trim().slice(0, 60), ratio: ratio(shown, below) });
  };
  const seen = (element) =>
    element.checkVisibility({ opacityProperty: true, visibilityProperty: true }) &&
    !element.closest("svg, script, style, noscript, table[role=grid], :disabled, [aria-disabled=true], label:has(:disabled)") &&
    element.getBoundingClientRect().width > 1 && element.getBoundingClientRect().height > 1 &&
    !/Material Symbols/.test(getComputedStyle(element).fontFamily);
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const element = texts.currentNode.parentElement;
    if (texts.currentNode.data.trim() && seen(element)) add(texts.currentNode.data, element, getComputedStyle(element).color);
  }
  for (const field of document.querySelectorAll("input, textarea"))
    if (seen(field) && field.placeholder && !field.value)
      add(`placeholder ${field.placeholder}`, field, getComputedStyle(field, "::placeholder").color);
  // A table is painted on a canvas, in colours that are variables of its frame.
  for (const grid of document.querySelectorAll(".stDataFrameGlideDataEditor")) {
    const named = (name) => rgba(getComputedStyle(grid).getPropertyValue(`--gdg-${name}`));
    for (const [text, ground] of [["text-dark", "bg-cell"], ["text-medium", "bg-cell"], ["text-header", "bg-header"],
                                  ["link-color", "bg-cell"], ["text-bubble", "bg-bubble"]]) {
      const below = over(named(ground), over(named("bg-cell"), [255, 255, 255]));
      found.push({ text: `table's ${text} on ${ground}`, ratio: ratio(over(named(text), below), below) });
    }
  }
  return found;
};
