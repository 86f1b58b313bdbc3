import type { Catalogue } from "../en";

export const selection: Catalogue["selection"] = {
  service: "サービス",
  anyService: "すべてのサービス",
  version: "バージョン",
  anyVersion: "すべてのバージョン",
  labels: "ラベル",
  example: '例：service_name="checkout"',
  malformed: 'ラベルは name="value" の形で、コンマで区切って書きます。',
  clear: "ラベルをすべて外す",
  range: "期間",
  last: (distance) => `過去 ${distance}`,
  choose: "開始と終了を指定…",
  wider: "期間を 2 倍に広げる",
  refresh: "最新の状態に更新",
  from: "開始",
  until: "終了",
  writeTimes: "14:05、yesterday 14:00、friday 9:30、2026-11-25 14:00、20m ago のように書けます",
  noTime: (text: string) => `「${text}」は時刻として読めません。`,
  backwards: "終了は開始より後にしてください。",
  take: "この期間にする",
};
