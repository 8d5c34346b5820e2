// Loaded before anything is drawn: what needs script shows only where script runs.
document.documentElement.classList.add("js-enabled");
document.body.classList.add("js-enabled");
if ("noModule" in HTMLScriptElement.prototype) document.body.classList.add("govuk-frontend-supported");
