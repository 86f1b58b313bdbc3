/** What the judge's measures are made of, the ends first. */
const WORDS: readonly (readonly [RegExp, string])[] = [
  [/ per request$/, "（リクエストあたり）"],
  [/ per second$/, "（毎秒）"],
  [/^duration /, "所要時間 "],
  [/^error share/, "エラー率"],
  [/^runs(?=$|（)/, "実行回数"],
  [/^lines(?=$|（)/, "行数"],
  [/ total(?=$|（)/, " 合計"],
  [/ self(?=$|（)/, " 自身"],
  [/(^| )level at the end$/, "$1期間末の値"],
  [/(^| )level$/, "$1値"],
  [/(^| )rate$/, "$1増加率"],
  [/(^| )mean$/, "$1平均"],
  [/(^| )count$/, "$1回数"],
];

/** A measure of the judge; what it is the measure of stays as it is. */
export const measure = (text: string): string =>
  WORDS.reduce((said, [english, japanese]) => said.replace(english, japanese), text);
