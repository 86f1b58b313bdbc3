import type { Catalogue } from "../en";

export const tokens: Catalogue["tokens"] = {
  title: "トークン",
  lead: "プログラムや人がアクセスするときに示すものです。表示は一度だけで、ハッシュのみ保存されます。",
  required: "このサーバーは全員にトークンを求めます。",
  open: "このサーバーはトークンを求めません。PILOTHOUSE_REQUIRE_TOKENS=true で求めるようになります。",
  none: "トークンはまだありません。",
  scopes: { ingest: "テレメトリーの送信", read: "読み取り", act: "読み取りと操作", admin: "すべて" },
  until: "期限",
  revoke: (name) => `${name} を取り消す`,
  reallyRevoke: (name) => `${name} を本当に取り消す`,
  make: "トークンを作成",
  name: "名前",
  may: "権限",
  goodFor: "有効期間（空欄なら無期限）",
  once: "表示は今回限りです。安全な場所に保管してください。",
};
