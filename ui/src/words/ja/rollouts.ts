import type { Catalogue } from "../en";

export const rollouts: Catalogue["rollouts"] = {
  title: "ロールアウト",
  one: (id) => `ロールアウト ${id}`,
  none: "ロールアウトはまだありません",
  noneLead:
    "ロールアウトはトラフィックを段階的に移し、各段階で新バージョンが悪化していないかを判定します。開始するには：",
  states: {
    running: "進行中",
    paused: "一時停止",
    rolling_back: "ロールバック中",
    rolled_back: "ロールバック済み",
    succeeded: "成功",
  },
  step: {
    done: "完了",
    now: "実行中",
    paused: "一時停止",
    waiting: "未実行",
    failed: "失敗",
    skipped: "省略",
  },
  steps: "ステップ",
  pause: "待機",
  served: (served, wanted) => `${served} / ${wanted} リクエスト`,
  weight: (version, percent) => `${version} のトラフィックは ${percent} %`,
  compare: "バージョンを比較",
  notMapped: "計画にあり Pilothouse が行わないこと",
  events: "経過",
  actions: { pause: "一時停止する", resume: "再開する", promote: "昇格する", abort: "中止する" },
  reallyAbort: "本当に中止してロールバックする",
};
export const causes: Catalogue["causes"] = {
  title: "関連する変化とその推定原因",
  kinds: {
    function: "コード",
    memory: "メモリー",
    dependency: "依存先",
    operation: "オペレーション",
    error: "エラー",
    change: "周囲の変更",
    symptom: "症状",
  },
};
