import type { Catalogue } from "../en";

export const around: Catalogue["around"] = {
  changes: "ほかに変わったこと",
  changesLead: "その前後のリリース、設定、イベント、インスタンス。このサービスと隣のサービスについて。",
  relations: {
    itself: "自身",
    upstream: "呼び出し元",
    downstream: "呼び出し先",
    cluster: "クラスター",
  },
  origin: "どこから来たか",
  noOrigin:
    "記録がなく、このバージョンを名指すパイプラインの実行もありません。パイプラインか人が記録できます：",
  runs: (version) => `${version} を名指すパイプラインの実行`,
  marked: "リリース日時",
  link: "リンク",
  pulls: "プルリクエスト",
  tag: "タグ",
  run: "パイプラインの実行",
  facts: { by: "実施者", environment: "環境", commit: "コミット", note: "メモ" },
  objectives: "目標（SLO）",
  objectivesLead: "消費率が 1 なら、予算は期間の終わりにちょうど尽きます。",
  alerts: { page: "すぐに呼び出す", ticket: "チケットが必要" },
  over: "期間",
  bad: "不良",
  burn: "消費率",
  noHazards: (service) => `${service} のオブジェクトには何も見つかりませんでした。`,
  why: "何が変わった？",
  whyLead: "ある時刻の前後でサービスをすべてのシグナルから比較し、周囲の変化も示します。",
  at: "時刻、または何分前か",
  howLong: "その後の長さ",
  ask: "調べる",
};
