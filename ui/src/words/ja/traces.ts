import type { Catalogue } from "../en";

export const traces: Catalogue["traces"] = {
  list: "トレース",
  graph: "サービスグラフ",
  operation: "オペレーション",
  atLeast: "所要時間の下限",
  atLeastExample: "下限（例：100ms）",
  onlyErrors: "エラーのみ",
  searching: "トレースを検索しています",
  none: "該当するトレースはありません。期間を広げるか、条件を減らしてください。",
  noCalls:
    "この期間にサービス間の呼び出しはありません。クライアントスパンと、その下のサーバースパンが必要です。",
  points: "開始時刻と所要時間で見たトレース（クリックで開く）",
  began: "開始",
  root: "ルート",
  spans: "スパン",
  errors: "エラー",
  services: "サービス",
  limited: (n) => `新しい ${n} 件を表示しています。続きがある可能性があります。`,
  trace: (id) => `トレース ${id}`,
  spanCount: (n, of) =>
    of && of > n
      ? `スパン ${of.toLocaleString("ja")} 件中 ${n.toLocaleString("ja")} 件`
      : `スパン ${n.toLocaleString("ja")} 件`,
  errorCount: (n) => `エラー ${n.toLocaleString("ja")} 件`,
  ways: "ここから",
  waterfall: "呼び出し順のスパン",
  legend: (n) =>
    `濃色で下線付きの ${n} スパンがクリティカルパス（トレースが待っていた処理）です。点はログ行です。左右の矢印キーで折りたたみと展開ができます。`,
  span: "スパン",
  own: (time) => `自身のみ ${time}`,
  critical: "クリティカルパス上",
  failed: "失敗",
  attributes: "属性",
  links: "リンク",
  resource: "リソース",
  compare: "比較対象を選択",
  compareEnd: "ウォーターフォールに戻る",
  examples: { fastest: "最速", median: "中央値", slowest: "最遅", failed: "失敗したもの" },
  comparison: "2 つのトレースのオペレーション別比較",
  comparisonLead: "各オペレーションが自身で（呼び出し先を除いて）費やした時間。差の大きい順です。",
  thisOne: "このトレース",
  otherOne: "比較対象",
  caller: "呼び出し元",
  called: "呼び出し先",
  calls: "呼び出し",
};
