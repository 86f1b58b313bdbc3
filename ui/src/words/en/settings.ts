export const settings = {
  title: "Settings",
  sdk: "Point an SDK here",
  sdkLead:
    "Any OpenTelemetry SDK, in any language. A service that says its name and version becomes a release.",
  collector: "Point a collector or a Prometheus here",
  collectorLead: "An exporter for an OpenTelemetry collector:",
  prometheus: "A Prometheus sends on what it scrapes:",
  grafana: "Grafana data sources",
  grafanaLead: "A stock Grafana can add each of these with only its address.",
  provisioning: "Or all at once, as a file in Grafana's provisioning/datasources:",
  server: "This server",
  uptime: "Running for",
  retention: "Keeps telemetry for",
  data: "Data directory",
  waiting: "Waiting to be stored",
  storing: "Storing",
  fine: "works",
  failing: "fails; the server's log says why",
  change:
    "These come from pilothouse.toml, PILOTHOUSE_… variables or flags, read when the server starts. For example:",
};
export const palette = {
  title: "Go to",
  hint: "A page, a service, a release, a trace id, or a text in the logs",
  page: "Page",
  release: "Release",
  trace: "Trace",
  inLogs: (text: string) => `Find “${text}” in the logs`,
};
