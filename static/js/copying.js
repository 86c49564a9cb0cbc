// A button that copies what stands at an address; the link beside it does without scripts.
import { each } from "./arrivals.js";
import { say } from "./aloud.js";

each("button[data-copy]", button => {
  if (!navigator.clipboard?.writeText) return;
  const before = button.textContent;
  button.hidden = false;
  button.addEventListener("click", async () => {
    try {
      const answer = await fetch(button.dataset.copy, { headers: { Accept: "application/json" } });
      if (!answer.ok) throw new Error(answer.status);
      await navigator.clipboard.writeText(await answer.text());
      button.textContent = button.dataset.done;
    } catch {
      button.textContent = button.dataset.failed;
    }
    say(button.textContent);
    setTimeout(() => { button.textContent = before; }, 2500);
  });
});
