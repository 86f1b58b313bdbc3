import { useCallback, useMemo, useSyncExternalStore } from "react";
import { useSearchParams } from "react-router";
import { type Bounds, between, boundsOf, changeWindow, readWindow, type Window } from "../address/window";

/** Who and when: what all pages about signals have in common, kept in the address. */
export interface Selection {
  selector: string;
  window: Window;
  /** What the window came to when it was last looked at. */
  bounds: Bounds;
  setSelector: (selector: string) => void;
  setWindow: (window: Window) => void;
  /** Narrow to two points in time. */
  zoomTo: (bounds: Bounds) => void;
  /** Look again: a window that ends now ends at a later now. */
  refresh: () => void;
  search: URLSearchParams;
  /** Changes other parts of the address; an empty value takes one out. */
  change: (part: Record<string, string | null>, keepHistory?: boolean) => void;
  /** The same for a part that may be there several times. */
  changeAll: (name: string, values: string[]) => void;
}

/** "Now" is one moment for all panes of a page, until somebody looks again. */
let now = Date.now();
const listeners = new Set<() => void>();

export function lookAgain() {
  now = Date.now();
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function useSelection(): Selection {
  const [search, setSearch] = useSearchParams();
  const at = useSyncExternalStore(subscribe, () => now);
  const key = ["since", "start", "end"].map((name) => search.get(name)).join(" ");
  // biome-ignore lint/correctness/useExhaustiveDependencies: the key is what of the address the window is made of
  const window = useMemo(() => readWindow(search), [key]);
  const bounds = useMemo(() => boundsOf(window, at), [window, at]);
  const setWindow = useCallback(
    (next: Window) => {
      if (next.since !== null) lookAgain();
      setSearch((before) => changeWindow(before, next));
    },
    [setSearch],
  );
  const change = useCallback(
    (part: Record<string, string | null>, keepHistory = false) =>
      setSearch(
        (before) => {
          const next = new URLSearchParams(before);
          for (const [name, value] of Object.entries(part)) {
            if (value) next.set(name, value);
            else next.delete(name);
          }
          return next;
        },
        { replace: !keepHistory },
      ),
    [setSearch],
  );
  const changeAll = useCallback(
    (name: string, values: string[]) =>
      setSearch((before) => {
        const next = new URLSearchParams(before);
        next.delete(name);
        for (const value of values) next.append(name, value);
        return next;
      }),
    [setSearch],
  );
  return {
    changeAll,
    selector: search.get("selector") ?? "",
    window,
    bounds,
    setSelector: (selector) => change({ selector }, true),
    setWindow,
    zoomTo: (to) => setWindow(between(to)),
    refresh: lookAgain,
    search,
    change,
  };
}

/** The address of another page about the same who and when. */
export function sameSelection(
  search: URLSearchParams,
  path: string,
  more: Record<string, string | null> = {},
) {
  const kept = new URLSearchParams();
  for (const name of ["selector", "since", "start", "end"]) {
    const value = search.get(name);
    if (value) kept.set(name, value);
  }
  for (const [name, value] of Object.entries(more)) {
    if (value) kept.set(name, value);
    else kept.delete(name);
  }
  const text = kept.toString();
  return text === "" ? path : `${path}?${text}`;
}
