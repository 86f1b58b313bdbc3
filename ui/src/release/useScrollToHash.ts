import { useEffect } from "react";
import { useLocation } from "react-router";

/** Brings the evidence that the address names into sight and gives it the keyboard, once it is there. */
export function useScrollToHash(ready: boolean) {
  const { hash, key } = useLocation();
  // biome-ignore lint/correctness/useExhaustiveDependencies: the same link pressed again has a new key
  useEffect(() => {
    if (!ready || hash.length < 2) return;
    const target = document.getElementById(hash.slice(1));
    target?.scrollIntoView({ block: "start" });
    target?.focus({ preventScroll: true });
  }, [ready, hash, key]);
}
