// A button in each password field that shows what was typed. Without scripts there is none.
for (const field of document.querySelectorAll(".secret")) {
  const [input, button] = [field.querySelector("input"), field.querySelector("button")];
  const show = (isShown) => {
    input.type = isShown ? "text" : "password";
    button.textContent = isShown ? button.dataset.hide : button.dataset.show;
    button.setAttribute("aria-label", isShown ? button.dataset.hideLabel : button.dataset.showLabel);
  };
  field.classList.add("can-show");
  button.addEventListener("click", () => {
    show(input.type === "password");
    input.focus();
  });
  // What is sent must be a password again, or the browser would remember it among other words.
  input.form.addEventListener("submit", () => show(false));
}
