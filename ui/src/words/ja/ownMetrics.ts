import type { Catalogue } from "../en";

export const ownMetrics: Catalogue["ownMetrics"] = {
  lead: "このサーバー自身の状態です。開いてから 5 秒ごとに取得します。長期間残すには、自身の /metrics を収集させてください（prometheus_config）。",
  soon: "最初の値は 5 秒後に表示されます。",
  received: "受信したテレメトリー",
  stored: "保存したテレメトリー",
  waiting: "保存待ち",
  memory: "メモリー",
  cpu: "使用 CPU コア数",
  files: "開いているファイル",
};
