// Decisions as they arrive. Without this script the page is the same, and "Look again" brings what came since.
const list = document.getElementById("live");
const state = document.getElementById("state");
const pause = document.getElementById("pause");
const MOST = 100;
let waiting = [];
let paused = false;

function put(line) {
  list.insertAdjacentHTML("afterbegin", line); // made and escaped by our own server
  list.firstElementChild.classList.add("arrived");
  while (list.childElementCount > MOST) list.lastElementChild.remove();
  document.getElementById("none").hidden = true;
}

pause.hidden = false;
document.getElementById("again").hidden = true;
pause.addEventListener("click", () => {
  paused = !paused;
  pause.setAttribute("aria-pressed", String(paused));
  state.textContent = paused ? "Paused." : "Arriving live, newest first, times in UTC.";
  if (!paused) waiting.splice(0).forEach(put);
});

const source = new EventSource(list.dataset.from);
source.addEventListener("open", () => {
  if (!paused) state.textContent = "Arriving live, newest first, times in UTC.";
});
source.addEventListener("decision", (event) => {
  if (!paused) return put(event.data);
  waiting.push(event.data);
  if (waiting.length > MOST) waiting.shift();
});
source.addEventListener("missed", (event) => {
  if (!paused) state.textContent = `${event.data} more came in than are listed.`;
});
source.addEventListener("over", () => {
  source.close();
  state.textContent = "You were signed out. Load the page again to sign in.";
});
source.addEventListener("error", () => {
  state.textContent = source.readyState === EventSource.CLOSED
    ? "The list has ended. Load the page again." : "The connection was lost; it is tried again.";
});
addEventListener("pagehide", () => source.close());
