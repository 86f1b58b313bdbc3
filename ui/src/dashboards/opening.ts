import { fromGrafana, isGrafana } from "./grafana";
import { type Dashboard, faultIn } from "./model";

/** A file's content as a dashboard; a Grafana dashboard is taken over on the way. */
export interface Opened {
  dashboard: Dashboard | null;
  lost: string[];
  fault: string | null;
}

export function opened(content: unknown): Opened {
  if (isGrafana(content)) return { ...fromGrafana(content), fault: null };
  const fault = faultIn(content);
  return fault === null
    ? { dashboard: content as Dashboard, lost: [], fault }
    : { dashboard: null, lost: [], fault };
}
