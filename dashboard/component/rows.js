// A table whose rows are plain links: with the mouse, with the keyboard, in another tab, and on a phone as cards.

import { el, GLYPHS, number } from "./dom.js"
import { follow, turnTo } from "./going.js"

const instances = new WeakMap()
const KEYS = { ArrowDown: 1, j: 1, ArrowUp: -1, k: -1, Home: -Infinity, End: Infinity }

export default function mount(component) {
  const { data: [data], parentElement } = component
  let here = instances.get(parentElement)
  if (!here) instances.set(parentElement, (here = new Rows(parentElement)))
  here.show(data)
  return () => {
    here.node.remove()
    instances.delete(parentElement)
  }
}

class Rows {
  constructor(parent) {
    this.node = el("div", { class: "rows", on: { keydown: (event) => this.pressed(event) } })
    this.sorted = { column: -1, direction: 1 }
    parent.append(this.node)
  }

  show(data) {
    const told = JSON.stringify(data)
    if (told === this.told) return
    this.told = told
    this.data = data
    for (const [name, colour] of Object.entries(data.colours)) this.node.style.setProperty(`--${name}`, colour)
    this.node.style.setProperty("--lines", data.lines)
    this.node.classList.toggle("single", data.lines === 1)
    this.node.classList.toggle("long", data.height > 0)
    this.node.style.maxHeight = data.height ? `${data.height}px` : ""
    this.key = `custodiet.row.${location.pathname}${location.search}.${data.key}`
    this.draw()
    this.comeBack()
    if (data.go) turnTo(data.go)
  }

  order() {
    const places = this.data.rows.map((_, place) => place)
    const { column, direction } = this.sorted
    if (column < 0) return places
    const value = (place) => this.data.rows[place][column]
    const compare = (one, other) => (typeof one === "number" ? one - other : String(one).localeCompare(String(other), "en"))
    return places.sort((one, other) => {
      if (value(one) === null || value(other) === null) return (value(one) === null) - (value(other) === null)
      return direction * compare(value(one), value(other)) || one - other
    })
  }

  draw() {
    const { columns, alt } = this.data
    const wide = columns.reduce((sum, column) => sum + column.width, 0)
    this.body = el("tbody", {}, this.order().map((place) => this.row(place)))
    this.node.replaceChildren(
      el(
        "table", { "aria-label": alt },
        el("colgroup", {}, columns.map((column) => el("col", { style: `width:${(100 * column.width) / wide}%` }))),
        el("thead", {}, el("tr", {}, columns.map((column, place) => this.heading(column, place)))),
        this.body
      )
    )
    this.links = [...this.body.querySelectorAll("tr > td > a.first")]
    this.links.forEach((link, place) => link.setAttribute("tabindex", place ? -1 : 0))
  }

  heading(column, place) {
    const { column: by, direction } = this.sorted
    const way = by === place ? (direction > 0 ? "ascending" : "descending") : "none"
    const glyph = by === place ? (direction > 0 ? " ↑" : " ↓") : ""
    const sort = el("button", { type: "button", title: column.help, on: { click: () => this.sort(place) } }, column.label + glyph)
    return el("th", { scope: "col", class: column.kind, "aria-sort": way }, sort)
  }

  sort(column) {
    const again = this.sorted.column === column
    if (again && this.sorted.direction < 0) this.sorted = { column: -1, direction: 1 }
    else this.sorted = { column, direction: again ? -1 : 1 }
    this.draw()
    this.node.querySelectorAll("th button")[column].focus()
  }

  row(place) {
    const { columns, rows, links } = this.data
    const leading = Object.keys(links).find((name) => links[name][place])
    const cells = columns.map((column, at) => {
      const inside = shown(column, rows[place][at])
      const to = links[column.name]?.[place]
      const first = column.name === leading
      return el(
        "td", { class: column.kind, "data-label": column.label },
        to ? el("a", { href: to, class: first ? "first" : "", on: { click: (event) => this.open(event, place, to) } }, inside) : el("div", {}, inside)
      )
    })
    const to = leading && links[leading][place]
    return el("tr", { class: to ? "leads" : "", "data-row": place, on: { click: (event) => to && this.clicked(event, place, to) } }, cells)
  }

  clicked(event, place, to) {
    if (!String(getSelection())) this.open(event, place, to)
  }

  open(event, place, to) {
    try {
      sessionStorage.setItem(this.key, place)
    } catch {
      // Private windows keep nothing; the page works without.
    }
    follow(event, to)
  }

  // Back on this page with these filters: the row that was opened has the focus again.
  comeBack() {
    let place = null
    try {
      place = sessionStorage.getItem(this.key)
      sessionStorage.removeItem(this.key)
    } catch {
      return
    }
    const link = place !== null && this.body.querySelector(`tr[data-row="${Number(place)}"] a.first`)
    if (link) this.focus(link)
  }

  focus(link) {
    for (const other of this.links) other.setAttribute("tabindex", other === link ? 0 : -1)
    link.focus()
    link.scrollIntoView({ block: "nearest" })
  }

  pressed(event) {
    const by = KEYS[event.key]
    const link = event.composedPath()[0]
    if (!by || event.ctrlKey || event.metaKey || event.altKey || !this.links.includes(link)) return
    event.preventDefault()
    const to = this.links.indexOf(link) + by
    this.focus(this.links[Math.min(this.links.length - 1, Math.max(0, to))])
  }
}

function shown(column, value) {
  if (value === null || value === undefined) return el("span", { class: "quiet" }, "–")
  if (column.kind === "bar") {
    const gauge = el("span", { class: "gauge", "aria-hidden": "true" }, el("span", { style: `width:${Math.round(100 * value)}%` }))
    return [gauge, value.toFixed(2)]
  }
  if (column.kind === "severity")
    return el("span", { class: `severity ${value in GLYPHS ? value : ""}` }, `${GLYPHS[value] ?? "·"} ${value}`)
  if (column.kind === "decimal") return value.toFixed(1)
  if (column.kind === "when") return String(value).split(" ").map((part) => [el("span", { class: "unbroken" }, part), " "])
  const text = typeof value === "number" ? number(value) : value
  return el("span", { class: "clamped", title: text.length > 12 ? text : null }, text)
}
