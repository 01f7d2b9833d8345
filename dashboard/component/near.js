// The steps around this one that pass the filter, with what lies hidden between them.

import { el, fill, GLYPHS, number } from "./dom.js"
import { DECISION, FAILED } from "./filter.js"

const KINDS = ["lifecycle", "message", "model call", "hand-off", "approval", "tool call"]

export const kindOf = (store, step) => (store.overview ? KINDS[store.overview.kind[step - 1]] : "")

export function near(node, store, filter, step, rows, bookmarks, go) {
  const around = filter.around(step, Math.floor((rows - 1) / 2), Math.ceil((rows - 1) / 2))
  const out = []
  let before = around[0] === 1 ? 0 : around[0] - 1
  if (before > 0 && !filter.next(around[0], -1)) out.push(gap(before))
  for (let place = 0; place < around.length; place++) {
    const at = around[place]
    if (place && at - around[place - 1] > 1) out.push(gap(at - around[place - 1] - 1))
    out.push(row(store, at, at === step, bookmarks.has(at), go))
  }
  const end = around[around.length - 1]
  if (end < store.data.last && !filter.next(end, 1)) out.push(gap(store.data.last - end))
  fill(node, out)
}

const gap = (steps) => el("li", { class: "gap" }, `${number(steps)} ${steps === 1 ? "step" : "steps"} hidden`)

function row(store, step, here, bookmarked, go) {
  const told = store.step(step)
  const marks = store.overview ? store.overview.marks[step - 1] : 0
  const severity = store.overview?.severity.get(step)
  const glyphs = [severity ? GLYPHS[severity] ?? "◆" : "", marks & DECISION ? "✓" : "", marks & FAILED ? "!" : "", bookmarked ? "⚑" : ""]
  return el(
    "li", {},
    el(
      "button", { type: "button", class: here ? "here" : "", "aria-current": here ? "step" : null, tabindex: here ? 0 : -1, on: { click: () => go(step) } },
      el("span", { class: `mark ${severity ?? ""}` }, glyphs.join("")),
      el("span", { class: "n" }, number(step)),
      el("span", { class: "tool" }, told ? (told.kind === "tool call" ? told.what : told.kind) : kindOf(store, step) || "…"),
      el("span", { class: "at" }, told ? told.at.slice(11, 19) : ""),
      el("span", { class: "agent" }, told ? told.agent : "")
    )
  )
}
