// Keys that are pressed before the page's own code has arrived are kept for it: app/keys.ts takes them from here.
(() => {
  const pressed = [];
  const keep = (event) => {
    // The browser has a use of its own for this one.
    if ((event.ctrlKey || event.metaKey) && event.key === "k") event.preventDefault();
    pressed.push(event);
  };
  const take = () => {
    removeEventListener("keydown", keep);
    return pressed.splice(0);
  };
  addEventListener("keydown", keep);
  window.earlyKeys = { take };
})();

// What the home page shows is asked for while its code is on its way: api/client.ts takes the answer from here.
(() => {
  if (location.pathname !== "/" && location.pathname !== "/releases") return;
  const answer = fetch("/api/releases", { headers: { accept: "application/json" } });
  // Who takes it sees the failure; it must not be reported a second time.
  answer.catch(() => {});
  window.earlyAnswers = new Map([["/api/releases", answer]]);
})();
