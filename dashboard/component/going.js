// From page to page inside the one that is open: one entry of the browser's history for each place, with its filters,
// so that Back comes back to what one saw.

export function turnTo(place) {
  history.pushState({}, "", place)
  window.dispatchEvent(new PopStateEvent("popstate", { state: history.state }))
}

// A plain click stays in this tab; any other kind of click is the browser's own.
export function follow(event, place) {
  if (event.defaultPrevented || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return
  event.preventDefault()
  turnTo(place)
}
