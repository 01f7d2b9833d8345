// Elements and text nodes: the only way in which this component writes anything.
// Text of a log is only ever handed to `text` and `el`, which make text nodes of it.

export function el(tag, attributes, ...children) {
  const node = document.createElement(tag)
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (name === "on") for (const [event, listener] of Object.entries(value)) node.addEventListener(event, listener)
    else if (value === true) node.setAttribute(name, "")
    else if (value !== false && value !== null && value !== undefined) node.setAttribute(name, String(value))
  }
  for (const child of children.flat(Infinity)) if (child !== null && child !== undefined && child !== "") node.append(child)
  return node
}

export function fill(node, ...children) {
  node.replaceChildren(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== ""))
}

export const number = (value) => value.toLocaleString("en-US")

export const GLYPHS = { info: "·", low: "▂", medium: "◆", high: "▲", critical: "✖" }

export function bytes(base64) {
  const text = atob(base64)
  const out = new Uint8Array(text.length)
  for (let place = 0; place < text.length; place++) out[place] = text.charCodeAt(place)
  return out
}

export function remembered(key, fallback) {
  try {
    return JSON.parse(localStorage.getItem(key)) ?? fallback
  } catch {
    return fallback
  }
}

export function remember(key, value) {
  try {
    localStorage.setItem(key, JSON.stringify(value))
  } catch {
    // Private windows keep nothing; the page works without.
  }
}
