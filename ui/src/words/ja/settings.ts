import type { Catalogue } from "../en";

export const settings: Catalogue["settings"] = {
  title: "設定",
  sdk: "SDK の送信先",
  sdkLead:
    "言語を問わず OpenTelemetry SDK から送信できます。名前とバージョンを名乗るサービスはリリースになります。",
  collector: "コレクターや Prometheus の送信先",
  collectorLead: "OpenTelemetry コレクターのエクスポーター設定：",
  prometheus: "Prometheus が収集したものを転送する設定：",
  grafana: "Grafana のデータソース",
  grafanaLead: "標準の Grafana に、アドレスだけで追加できます。",
  provisioning: "Grafana の provisioning/datasources にファイルとして置けば一括で追加できます：",
  server: "このサーバー",
  uptime: "稼働時間",
  retention: "テレメトリーの保持期間",
  data: "データディレクトリ",
  waiting: "保存待ち",
  storing: "保存",
  fine: "正常",
  failing: "失敗しています（サーバーのログに理由があります）",
  change: "これらは起動時に pilothouse.toml、PILOTHOUSE_… 環境変数、フラグから読み込まれます。例：",
};
export const palette: Catalogue["palette"] = {
  title: "移動先",
  hint: "ページ、サービス、リリース、トレース ID、ログ中の語",
  page: "ページ",
  release: "リリース",
  trace: "トレース",
  inLogs: (text) => `ログで「${text}」を検索`,
};
