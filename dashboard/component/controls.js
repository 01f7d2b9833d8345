// Everything above and around the step's card: where one stands, the ways to move, the filter, the panes.

import { el, number } from "./dom.js"
import { SHOWS } from "./filter.js"

const SPEEDS = [0.5, 1, 2, 4, 8]
export const VIEWS = ["timeline", "compact", "raw"]

// The nodes that the stepper writes to are hung on it; the node that holds them all is given back.
export function controls(here) {
  const button = (label, title, action) => el("button", { type: "button", title, on: { click: () => here[action]() } }, label)
  here.title = el("h2", { "aria-live": "polite" })
  here.trouble = el("div", { class: "trouble", role: "status" })
  here.playButton = button("▶ Play", "Space", "play")
  here.speed = el("select", { "aria-label": "Steps a second", on: { change: () => here.player.timer && (here.play(), here.play()) } },
    SPEEDS.map((speed) => el("option", { value: speed, selected: speed === 2 }, `${speed}/s`)))
  here.jump = el("input", { type: "number", min: 1, max: here.data.last, "aria-label": "Go to step", placeholder: "Go to" })
  here.jump.addEventListener("keydown", (event) => { if (event.key === "Enter") here.jumped() })
  here.showBox = el("select", { "aria-label": "Show", on: { change: () => here.filtered() } },
    SHOWS.map(([name, said]) => el("option", { value: name, selected: name === here.filter.show }, said)))
  here.agentBox = el("select", { "aria-label": "Agent", on: { change: () => here.filtered() } }, el("option", { value: "" }, "all agents"))
  here.findBox = el("input", { type: "search", "aria-label": "Find text", placeholder: "Find text", maxlength: 200 })
  here.findBox.addEventListener("change", () => here.search())
  here.findBox.addEventListener("keydown", (event) => { if (event.key === "Escape") here.findBox.blur() })
  here.views = VIEWS.map((name) => el("button", { type: "button", on: { click: () => here.look(name) } }, name))
  here.hides = el("span", { class: "quiet", role: "status" })
  here.nearList = el("ol", { class: "near", "aria-label": "Steps around this one" })
  here.cardNode = el("article", { class: "card", "aria-label": "This step" })
  here.whyNode = el("div", {})
  here.helpNode = el("section", { class: "help", hidden: true, "aria-label": "Help" }, here.keys.help())
  const { place, of } = here.data.cases
  const queue = place ? `case ${number(place)} of ${number(of)}` : ""
  return el(
    "div", { class: "stepper" },
    el("div", { class: "bar" },
      el("div", { class: "where" }, here.title, el("div", { class: "quiet" }, `session ${here.data.shown}`, queue ? `  ·  ${queue}` : "")),
      el("div", { class: "buttons", role: "group", "aria-label": "Move" },
        button("◀ ◆ Finding", "Previous finding (p)", "findingBefore"), button("← Previous", "Left arrow", "previous"),
        button("Next →", "Right arrow", "next"), button("Finding ◆ ▶", "Next finding (n)", "finding"),
        button("Decision ✓ ▶", "Next decision (a)", "decision"), here.playButton, here.speed, here.jump, button("?", "Keys", "help"))),
    here.trouble, here.helpNode,
    el("div", { class: "bar filters" }, el("div", { class: "views", role: "group", "aria-label": "View" }, here.views),
      here.showBox, here.agentBox, here.findBox, here.hides),
    here.ribbon.node,
    el("div", { class: "panes" }, here.nearList, here.cardNode, el("aside", { class: "why" }, here.whyNode, here.trail.node))
  )
}
