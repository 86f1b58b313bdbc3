import type { Status } from "../api/wire";

/** What a Grafana can add with only the address. */
export const SOURCES = [
  { name: "Prometheus", type: "prometheus", path: "/prometheus" },
  { name: "Loki", type: "loki", path: "" },
  { name: "Tempo", type: "tempo", path: "/tempo" },
  { name: "Pyroscope", type: "grafana-pyroscope-datasource", path: "/pyroscope" },
  { name: "Jaeger", type: "jaeger", path: "/jaeger" },
] as const;

/** Data sources as Grafana's provisioning reads them. */
export function dataSources(origin: string): string {
  const sources = SOURCES.map(({ name, type, path }) =>
    [
      `  - name: Pilothouse ${name}`,
      `    type: ${type}`,
      "    access: proxy",
      `    url: ${origin}${path}`,
    ].join("\n"),
  );
  return ["apiVersion: 1", "datasources:", ...sources].join("\n");
}

/** An exporter for an OpenTelemetry collector. */
export function collectorConfig(status: Status): string {
  return [
    "exporters:",
    "  otlphttp/pilothouse:",
    `    endpoint: ${status.endpoints.otlp_http ?? ""}`,
    "service:",
    "  pipelines:",
    ...["traces", "metrics", "logs"].flatMap((signal) => [
      `    ${signal}:`,
      "      receivers: [otlp]",
      "      exporters: [otlphttp/pilothouse]",
    ]),
  ].join("\n");
}

/** Prometheus sends on what it scrapes. */
export function scrapeWrite(origin: string): string {
  return ["remote_write:", `  - url: ${origin}/prometheus/api/v1/write`].join("\n");
}
