/** The built-in dashboards say their words in English; here is what each is in Japanese. */
export const JAPANESE: Readonly<Record<string, string>> = {
  Services: "サービス",
  "Rate, errors and duration of every service, from its server spans; and what it logs.":
    "各サービスのリクエスト数、エラー、所要時間（サーバースパンから）とログ。",
  Requests: "リクエスト",
  "Failed requests": "失敗したリクエスト",
  "Duration, 95th percentile": "所要時間（95 パーセンタイル）",
  "Duration by version, median": "バージョン別の所要時間（中央値）",
  "Warnings and errors logged": "警告とエラーのログ",
  "The newest errors": "最新のエラー",
  "The newest warnings and errors": "最新の警告とエラー",
  "Kubernetes workloads": "Kubernetes ワークロード",
  "What each deployment uses and logs, by the k8s.* attributes that the OpenTelemetry collector adds.":
    "Deployment ごとのリソース使用量とログ（OpenTelemetry コレクターが付ける k8s.* 属性による）。",
  "Pilothouse itself": "Pilothouse 自身",
  "What this server receives, stores and holds.": "このサーバーが受信し、保存し、保持しているもの。",
  "Lines logged": "ログの行数",
  "Instances that report": "報告しているインスタンス",
  Memory: "メモリー",
  "Telemetry received": "受信したテレメトリー",
  "Telemetry stored": "保存したテレメトリー",
  "Waiting to be stored": "保存待ち",
  "Time to store a segment": "セグメントの保存時間",
  Service: "サービス",
  Deployment: "Deployment",
};
