import { useEffect, useState } from "preact/hooks";

// The time of performance.now(), anew every `milliseconds` while `runs`.
export function useClock(runs: boolean, milliseconds: number): number {
  const [now, setNow] = useState(() => performance.now());
  useEffect(() => {
    if (!runs) return;
    const timer = setInterval(() => setNow(performance.now()), milliseconds);
    return () => clearInterval(timer);
  }, [runs, milliseconds]);
  return now;
}
