// Dragging on top of the four buttons of the deduction order: the drop is sent as a position by the row's own form.

function enable(list) {
  if (list.dataset.draggable) return;
  list.dataset.draggable = "yes";
  window.Sortable.create(list, {
    handle: ".portal-grip",
    animation: 0,
    ghostClass: "is-dragging",
    onEnd: ({ item, oldIndex, newIndex }) => {
      if (oldIndex === newIndex) return;
      const form = item.querySelector("form");
      const position = document.createElement("input");
      position.type = "hidden";
      position.name = "position";
      position.value = String(newIndex + 1);
      form.append(position);
      form.requestSubmit();
    },
  });
}

function enableAll() {
  document.querySelectorAll("[data-order]").forEach(enable);
}

enableAll();
document.addEventListener("htmx:afterSettle", enableAll);
