// Repeats work while the page is visible. A hidden tab asks for nothing; on its return it asks at once.
// `now()` asks out of turn and resolves when the answer is shown. While an earlier turn is under way it is followed by
// another, since what it asked for may no longer be what is wanted; work therefore must not await its own `now()`.
export function poll(work, ms) {
  let timer = 0;
  let current = null;
  let again = false;
  const run = async () => {
    do {
      again = false;
      try {
        await work();
      } catch (error) {
        if (!(error instanceof TypeError) && error.status === undefined) console.error(error);
      }
    } while (again);
    current = null;
    if (!document.hidden) timer = setTimeout(turn, ms);
  };
  const turn = () => {
    clearTimeout(timer);
    again = true;
    current ??= Promise.resolve().then(run);
    return current;
  };
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) clearTimeout(timer);
    else turn();
  });
  document.addEventListener("retry", turn);
  turn();
  return { now: turn };
}
