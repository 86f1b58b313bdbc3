import type { Catalogue } from "../en";

export const hazards: Catalogue["hazards"] = {
  title: "ハザード",
  found: "クラスターで見つかったもの",
  notWatching: "監視中のクラスターはありません。マニフェストは出荷前に検査できます：",
  none: "何も見つかりませんでした。",
  firstSeen: "初検出",
  subject: "対象",
  state: "状態",
  says: "内容",
  states: {
    latent: "潜在",
    active: "発現",
    hurting: "影響あり",
    "not evaluable": "判定不能",
    refuted: "該当せず",
  },
  severities: { critical: "致命的", high: "高", medium: "中", low: "低", info: "情報" },
  rules: (n) => `既知の落とし穴 ${n} 件`,
  rulesLead: "それぞれに理由、対処、出典、証拠となるグラフがあります。",
  findRule: "ルールを検索",
  noRule: "該当するルールはありません。",
  fix: (subject: string) => `${subject} の修正`,
  showFix: "修正",
  fixUnsafe: "適用する前に確認してください。すべてのワークロードに合うとは限りません。",
  fixCommand: "kubectl での同じ変更です。リポジトリで管理しているオブジェクトは、そちらを変更してください。",
  evidence: (text) =>
    text
      .replace(/^telemetry cannot say: (.+) is missing$/, "テレメトリーでは判定できません：$1 がありません")
      .replace(
        /^telemetry says it does not apply here: nothing answers (.+)$/,
        "テレメトリーによれば該当しません：$1 に該当する系列がありません",
      ),
  proof: "メトリクスでの証拠：",
  sources: "出典",
};
