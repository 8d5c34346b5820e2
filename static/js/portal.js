// What every page gets on top of plain HTML: govuk's parts, and care for focus and speech when HTMX swaps a part.

const govuk = await import(document.body.dataset.govuk);
govuk.initAll();

// A page that comes with news (a refusal, a result below a form) is read from there; an error summary takes the focus itself.
if (!document.querySelector(".govuk-error-summary")) document.querySelector("main [data-focus]")?.focus();

// The answer to a form with a mistake is no page that a browser can go back to or load anew: it asks whether to send the
// form once more. From here on the entry of the history is the address alone, which shows the form.
history.replaceState(history.state, "", location.href);

function announce(text) {
  const region = document.getElementById("portal-announce");
  // Emptied first, so that the same sentence twice is read twice.
  region.textContent = "";
  setTimeout(() => { region.textContent = text; }, 50);
}

let focusedId = "";

document.addEventListener("htmx:beforeSwap", () => { focusedId = document.activeElement?.id ?? ""; });

document.addEventListener("htmx:afterSettle", (event) => {
  const part = event.detail.elt;
  if (!(part instanceof Element) || !part.isConnected) return;
  govuk.initAll({ scope: part });
  nameErrors(part);
  const told = part.closest("[data-announce]") ?? part.querySelector("[data-announce]");
  if (told) announce(told.dataset.announce);
  const wanted = part.querySelector(".govuk-error-summary, [data-focus]") ?? (part.matches("[data-focus]") ? part : null);
  if (wanted) wanted.focus();
  else keepFocus(part);
});

// A page fetched whole says in its title that something is wrong; a swapped part must too.
function nameErrors(part) {
  const prefix = document.body.dataset.error;
  const isBad = part.querySelector(".govuk-error-summary") !== null;
  const title = document.title.startsWith(prefix) ? document.title.slice(prefix.length) : document.title;
  document.title = isBad ? prefix + title : title;
}

// The button that was pressed is gone with the old part. Its successor has the same id; at a dead end the next live button of its row.
function keepFocus(part) {
  if (!focusedId || document.activeElement !== document.body) return;
  const same = document.getElementById(focusedId);
  const live = same?.disabled ? same.parentElement.querySelector("button:not([disabled])") : same;
  if (live && part.contains(live)) live.focus();
}

// A failure stays in sight until something succeeds: nobody may believe that a press was saved when it was not.
for (const name of ["htmx:responseError", "htmx:sendError", "htmx:timeout"]) {
  document.addEventListener(name, () => { document.getElementById("portal-failed").hidden = false; });
}
document.addEventListener("htmx:afterSwap", () => { document.getElementById("portal-failed").hidden = true; });

document.addEventListener("click", (event) => {
  if (event.target.closest?.("[data-print]")) window.print();
});

document.addEventListener("click", async (event) => {
  const button = event.target.closest?.("[data-copy]");
  if (!button) return;
  try {
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
    announce(button.dataset.copied);
    button.textContent = button.dataset.copied;
  } catch {
    // Not allowed here (no HTTPS): what is selected can be copied by hand.
    getSelection().selectAllChildren(document.getElementById(button.dataset.copy));
  }
});
