// Repeats work while the page is visible. A hidden tab asks for nothing; on its return it asks at once.
export function poll(work, ms) {
  let timer = 0;
  let running = false;
  let live = true;
  const turn = async () => {
    clearTimeout(timer);
    if (running) return;
    running = true;
    try {
      await work();
    } catch (error) {
      if (!(error instanceof TypeError) && error.name !== "ApiError" && error.status === undefined) console.error(error);
    } finally {
      running = false;
      clearTimeout(timer);
      if (live && !document.hidden) timer = setTimeout(turn, ms);
    }
  };
  document.addEventListener("visibilitychange", () => {
    clearTimeout(timer);
    if (!document.hidden && live) turn();
  });
  document.addEventListener("retry", turn);
  turn();
  return {
    now: turn,
    set live(value) {
      live = value;
      clearTimeout(timer);
      if (live) turn();
    },
  };
}
