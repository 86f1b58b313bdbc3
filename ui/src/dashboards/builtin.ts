import type { Dashboard } from "./model";

const back = "$__rate_interval";
const memory = "process_memory_usage_bytes * on (job, instance) group_left (k8s_deployment_name) target_info";
const cpu = `rate(process_cpu_time_seconds_total[${back}]) * on (job, instance) group_left (k8s_deployment_name) target_info`;
// A pipeline's runs have spans too, but it is no service, and takes a thousand times as long as a request.
const service = 'resource.service.name =~ "$service" && resource.service.name !~ "pipeline/.*"';

/** Dashboards that are there without configuration, by the name in their address. */
export const BUILT_IN: Record<string, Dashboard> = {
  services: {
    title: "Services",
    description: "Rate, errors and duration of every service, from its server spans; and what it logs.",
    variables: [{ name: "service", label: "Service", values_of: { label: "job" } }],
    panels: [
      {
        title: "Requests",
        type: "timeseries",
        unit: "{requests}/s",
        width: 6,
        queries: [
          {
            language: "traceql",
            query: `{ kind = server && ${service} } | rate() by (resource.service.name)`,
            legend: "{{resource.service.name}}",
          },
        ],
      },
      {
        title: "Failed requests",
        type: "timeseries",
        unit: "{requests}/s",
        width: 6,
        queries: [
          {
            language: "traceql",
            query: `{ kind = server && status = error && ${service} } | rate() by (resource.service.name)`,
            legend: "{{resource.service.name}}",
          },
        ],
      },
      {
        title: "Duration, 95th percentile",
        type: "timeseries",
        unit: "s",
        width: 6,
        queries: [
          {
            language: "traceql",
            query: `{ kind = server && ${service} } | quantile_over_time(duration, .95) by (resource.service.name)`,
            legend: "{{resource.service.name}}",
          },
        ],
      },
      {
        title: "Duration by version, median",
        type: "timeseries",
        unit: "s",
        width: 6,
        queries: [
          {
            language: "traceql",
            query: `{ kind = server && ${service} } | quantile_over_time(duration, .5) by (resource.service.name, resource.service.version)`,
            legend: "{{resource.service.name}} {{resource.service.version}}",
          },
        ],
      },
      {
        title: "Warnings and errors logged",
        type: "timeseries",
        unit: "{lines}/s",
        width: 6,
        queries: [
          {
            language: "logql",
            query: `sum by (service_name) (rate({service_name=~"$service"} | detected_level=~"warn|error|fatal|critical" [${back}]))`,
            legend: "{{service_name}}",
          },
        ],
      },
      {
        title: "The newest errors",
        type: "logs",
        width: 6,
        queries: [
          { language: "logql", query: '{service_name=~"$service"} | detected_level=~"error|fatal|critical"' },
        ],
      },
    ],
  },
  workloads: {
    title: "Kubernetes workloads",
    description:
      "What each deployment uses and logs, by the k8s.* attributes that the OpenTelemetry collector adds.",
    variables: [
      {
        name: "deployment",
        label: "Deployment",
        values_of: { label: "k8s_deployment_name", of: "target_info" },
      },
    ],
    panels: [
      {
        title: "CPU",
        type: "timeseries",
        unit: "{cores}",
        width: 6,
        queries: [
          {
            language: "promql",
            query: `sum by (k8s_deployment_name) (${cpu}{k8s_deployment_name=~"$deployment"})`,
            legend: "{{k8s_deployment_name}}",
          },
        ],
      },
      {
        title: "Memory",
        type: "timeseries",
        unit: "By",
        width: 6,
        queries: [
          {
            language: "promql",
            query: `sum by (k8s_deployment_name) (${memory}{k8s_deployment_name=~"$deployment"})`,
            legend: "{{k8s_deployment_name}}",
          },
        ],
      },
      {
        title: "Instances that report",
        type: "stat",
        unit: "",
        width: 4,
        queries: [
          {
            language: "promql",
            query: `count by (k8s_deployment_name) (last_over_time(target_info{k8s_deployment_name=~"$deployment"}[$__range]))`,
            legend: "{{k8s_deployment_name}}",
          },
        ],
      },
      {
        title: "Lines logged",
        type: "timeseries",
        unit: "{lines}/s",
        width: 8,
        queries: [
          {
            language: "logql",
            query: `sum by (k8s_deployment_name) (rate({k8s_deployment_name=~"$deployment"}[${back}]))`,
            legend: "{{k8s_deployment_name}}",
          },
        ],
      },
      {
        title: "The newest warnings and errors",
        type: "logs",
        width: 12,
        queries: [
          {
            language: "logql",
            query: '{k8s_deployment_name=~"$deployment"} | detected_level=~"warn|error|fatal|critical"',
          },
        ],
      },
    ],
  },
  pilothouse: {
    title: "Pilothouse itself",
    description: "What this server receives, stores and holds.",
    panels: [
      {
        title: "Telemetry received",
        type: "timeseries",
        unit: "By/s",
        width: 6,
        queries: [
          {
            language: "promql",
            query: `sum by (kind) (rate(pilothouse_received_size_bytes_total[${back}]))`,
            legend: "{{kind}}",
          },
        ],
      },
      {
        title: "Telemetry stored",
        type: "timeseries",
        unit: "By/s",
        width: 6,
        queries: [
          {
            language: "promql",
            query: `sum by (kind) (rate(pilothouse_stored_size_bytes_total[${back}]))`,
            legend: "{{kind}}",
          },
        ],
      },
      {
        title: "Waiting to be stored",
        type: "timeseries",
        unit: "By",
        width: 6,
        queries: [{ language: "promql", query: "pilothouse_journal_size_bytes", legend: "{{kind}}" }],
      },
      {
        title: "Time to store a segment",
        type: "heatmap",
        unit: "s",
        width: 6,
        queries: [
          {
            language: "promql",
            query: `sum by (le) (increase(pilothouse_storing_duration_seconds_bucket[${back}]))`,
          },
        ],
      },
      {
        title: "Memory",
        type: "timeseries",
        unit: "By",
        width: 6,
        queries: [
          {
            language: "promql",
            query:
              'process_resident_memory_bytes and on (job, instance) pilothouse_journal_size_bytes{kind="logs"}',
          },
        ],
      },
    ],
  },
};
