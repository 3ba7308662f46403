// What the theme leaves to a screen reader's guess: names for the search dialog and the copy buttons' toolbars, and
// wide tables that the keyboard can reach and scroll.
document.querySelector('[data-md-component="search"][role="dialog"]')?.setAttribute("aria-label", "Search")

function nameToolbars() {
  document.querySelectorAll(".md-code__nav:not([aria-label])").forEach((toolbar, index) => toolbar.setAttribute("aria-label", `Code block ${index + 1}`))
}
new MutationObserver(nameToolbars).observe(document.body, { childList: true, subtree: true })
nameToolbars()

document.querySelectorAll(".md-typeset__scrollwrap").forEach((table) => table.scrollWidth > table.clientWidth && (table.tabIndex = 0))
