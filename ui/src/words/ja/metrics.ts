import type { Catalogue } from "../en";

export const metrics: Catalogue["metrics"] = {
  chart: "グラフ",
  expression: (n) => `PromQL 式 ${n}`,
  hint: "PromQL（例：rate(http_server_request_duration_seconds_count[1m])）",
  remove: (n) => `式 ${n} を削除`,
  exemplars: "エグザンプラー（クリックでトレースを開く）",
  another: "式を追加",
  all: "メトリクス一覧へ",
  asking: "メトリクスを取得しています",
  none: "該当する系列はありません。期間を広げるか、ラベルを減らしてください。",
  lines: "系列：クリックで単独表示、Shift+クリックで非表示",
  value: "値",
  series: "系列",
  find: "メトリクスを検索",
  catalog: "メトリクス一覧",
  catalogLead: "一覧から選ぶか、上に PromQL を入力してください。サービスとバージョンはラベルとして使えます。",
  noMetric: "名前や説明にこの語を含むメトリクスはありません。",
  metric: "メトリクス",
  type: "種類",
  unit: "単位",
  help: "説明",
};
