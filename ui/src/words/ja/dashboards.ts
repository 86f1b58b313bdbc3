import type { Catalogue } from "../en";

export const dashboards: Catalogue["dashboards"] = {
  title: "ダッシュボード",
  builtIn: "標準のダッシュボード",
  own: "自分のダッシュボード",
  ownLead:
    "このフォルダーの JSON ファイルがそれぞれ 1 つのダッシュボードになります。独自形式のほか、Grafana からエクスポートしたものも使えます。Git で管理できます。",
  none: "まだファイルはありません。下で Grafana のダッシュボードを開き、ここに保存してください。",
  importTitle: "ファイルからダッシュボードを開く",
  importLead:
    "Grafana からエクスポートしたダッシュボード、または独自形式のもの。データはこのマシンの外へ出ません。",
  file: "JSON ファイル",
  noJson: (name) => `${name} は JSON ではありません。`,
  taken: (title, panels) => `「${title}」：パネル ${panels} 件を取り込みました。`,
  lost: (n) => `取り込めなかったもの ${n} 件`,
  save: "フォルダー用のファイルとして保存",
  noBuckets: "バケットがありません。ヒートマップには「le」を持つ系列が必要です。",
};
