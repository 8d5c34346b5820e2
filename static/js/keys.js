// The desk is worked by keys: data-key="F9" on a button or link is pressed by that key, "/" focuses a search box.

function isTyping(target) {
  return target instanceof HTMLElement && (target.isContentEditable || target.matches("input, textarea, select"));
}

document.addEventListener("keydown", (event) => {
  // While Chinese is composed, Escape and Enter belong to the input method.
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || event.isComposing) return;
  // Letters and digits belong to the box one is typing in; function keys and Escape do not.
  if (event.key.length === 1 && isTyping(event.target)) return;
  const wanted = document.querySelector(`[data-key="${CSS.escape(event.key)}"]:not([disabled])`);
  if (!wanted) return;
  event.preventDefault();
  // Escape closes the record, and with it goes what is typed: in a box it leaves the box first.
  if (event.key === "Escape" && isTyping(event.target)) return event.target.blur();
  if (wanted.matches("input:not([type=submit]), textarea, select")) wanted.focus();
  else wanted.click();
});

// Card readers type a number and Enter: in these forms Enter goes to the next box, and only the last box sends.
function enterNext(event) {
  const form = event.target.closest?.("form[data-enter-next]");
  if (event.key !== "Enter" || event.isComposing || !form || !event.target.matches("input:not([type=checkbox]):not([type=radio]), select")) return;
  const boxes = [...form.querySelectorAll("input:not([type=hidden]), select, textarea")].filter((box) => !box.disabled);
  const next = boxes[boxes.indexOf(event.target) + 1];
  if (!next) return;
  event.preventDefault();
  next.focus();
}

document.addEventListener("keydown", enterNext);
