export const ownMetrics = {
  lead: "What this server says of itself, every five seconds since this was opened. For longer, let it scrape its own /metrics (prometheus_config).",
  soon: "The first number comes in five seconds.",
  received: "Telemetry received",
  stored: "Telemetry stored",
  waiting: "Waiting to be stored",
  memory: "Memory",
  cpu: "CPU cores used",
  files: "Open files",
};
