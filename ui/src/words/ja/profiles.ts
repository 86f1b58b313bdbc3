import type { Catalogue } from "../en";

export const profiles: Catalogue["profiles"] = {
  asking: "プロファイルを取得しています",
  none: "この期間のプロファイルはありません。サービスで継続的プロファイラーを動かし、送信先を次に設定してください。",
  nothing: "比較しない",
  before: "直前の期間",
  sandwich: "サンドイッチ",
  bothSides: "この関数を両側から見る",
  callees: "呼び出し先",
  callers: "呼び出し元",
  around: (name) => `${name} とともに`,
  sampledIn: "この関数が採取されたスパンと、同じプロセスのログ行：",
  sameProcesses: "同じプロセスのこの期間のもの：",
  nothingAround: "この期間に、同じプロセスのスパンもログ行もありません。",
  course: (type) => `${type}の推移`,
};
