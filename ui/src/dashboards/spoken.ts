import { JAPANESE } from "./japanese";
import type { Dashboard } from "./model";

/** A built-in dashboard in the page's language: what it calls itself, its panels and its variables. */
export function spoken(dashboard: Dashboard, locale: string): Dashboard {
  const words = (text: string) => (locale === "ja" ? (JAPANESE[text] ?? text) : text);
  return {
    ...dashboard,
    title: words(dashboard.title),
    ...(dashboard.description ? { description: words(dashboard.description) } : {}),
    panels: dashboard.panels.map((panel) => ({ ...panel, title: words(panel.title) })),
    ...(dashboard.variables
      ? {
          variables: dashboard.variables.map((one) => ({
            ...one,
            ...(one.label ? { label: words(one.label) } : {}),
          })),
        }
      : {}),
  };
}
