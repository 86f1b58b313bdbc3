const plural = (n: number, one: string, many: string) => `${n.toLocaleString("en")} ${n === 1 ? one : many}`;

export const dashboards = {
  title: "Dashboards",
  builtIn: "Always there",
  own: "Your own",
  ownLead:
    "Every JSON file in this folder is a dashboard: ours, or Grafana's as it was exported. Put them into Git.",
  none: "There is no file in it yet. Open a Grafana dashboard below and save it there.",
  importTitle: "Open a dashboard from a file",
  importLead: "A dashboard exported from Grafana, or one of ours. Nothing leaves this machine.",
  file: "JSON file",
  noJson: (name: string) => `${name} is not JSON.`,
  taken: (title: string, panels: number) => `“${title}”: ${plural(panels, "panel", "panels")} taken over.`,
  lost: (n: number) => `${plural(n, "thing", "things")} could not be taken over`,
  save: "Save it as a file for the folder",
  noBuckets: "There are no buckets here: a heat map needs series with “le”.",
};
