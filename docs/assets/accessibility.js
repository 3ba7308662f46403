// What the theme leaves to a screen reader's guess: names that tell its dialogs, paths, menus and toolbars apart, and
// wide tables that the keyboard can reach and scroll.
document.querySelector('[data-md-component="search"][role="dialog"]')?.setAttribute("aria-label", "Search")
document.querySelector("nav.md-path")?.setAttribute("aria-label", "Where this page stands")
document.querySelectorAll("nav.md-nav[aria-labelledby]").forEach((menu) => {
  const title = menu.querySelector(":scope > .md-nav__title")
  menu.removeAttribute("aria-labelledby")
  menu.setAttribute("aria-label", `Pages in ${title?.textContent.trim() || "this section"}`)
})

// The theme adds these after the page has loaded.
function completeWhatTheThemeAdded() {
  document.querySelectorAll(".md-code__nav").forEach((toolbar, index) => toolbar.setAttribute("aria-label", `Code block ${index + 1}`))
  document.querySelectorAll(".md-typeset__scrollwrap").forEach((table) => (table.tabIndex = table.scrollWidth > table.clientWidth ? 0 : -1))
}
new MutationObserver(completeWhatTheThemeAdded).observe(document.body, { childList: true, subtree: true })
completeWhatTheThemeAdded()
