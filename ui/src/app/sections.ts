import { type ComponentType, lazy } from "react";
import { ReleasesPage } from "../releases/ReleasesPage";
import type { Catalogue } from "../words/en";

/** A page of ours: where it is, and what draws it. Only the home page is in the first load. */
export interface Place {
  path: string;
  page: ComponentType;
}

/** A place in the navigation, with the key that leads there after "g". */
export interface Section {
  path: string;
  key: string;
  word: (say: Catalogue) => string;
}

export const PLACES: readonly Place[] = [
  { path: "/", page: ReleasesPage },
  { path: "/releases", page: ReleasesPage },
  {
    path: "/releases/:service/:version",
    page: lazy(() => import("../release/ReleasePage").then((room) => ({ default: room.ReleasePage }))),
  },
];

export const SECTIONS: readonly Section[] = [{ path: "/", key: "r", word: (say) => say.releases }];
