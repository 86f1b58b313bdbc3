/** A piece of a line: as it is, strong, code, or a link; `to` is where that leads, or the page of ours that code names. */
export interface Piece {
  text: string;
  as?: "strong" | "code" | "link";
  to?: string;
}

/** What stands by itself: a paragraph with its lines, or a list with its items. */
export interface Block {
  kind: "paragraph" | "list";
  lines: Piece[][];
}

/** Where pages of ours begin; a command such as `/approve` is none. */
const PAGE = /^\/(?:releases|rollouts|delivery|explore|hazards|mesh|dashboards)(?:[/?][\w./?&=%+~:-]*)?$/;

const PARTS = /\*\*([^*\n]+)\*\*|`([^`\n]+)`|\[([^\]\n]+)\]\((https?:\/\/[^\s()]+)\)/g;

/**
 * The little of Markdown that people and our own reports write into comments: paragraphs, lists, `**strong**`,
 * `` `code` `` and `[links](https://…)` of the web. All else stays the text that it is.
 */
export function readProse(text: string): Block[] {
  const blocks: Block[] = [];
  let open: Block | undefined;
  for (const line of text.split(/\r?\n/)) {
    const item = /^\s*[-*] (.*)$/.exec(line);
    if (line.trim() === "") {
      open = undefined;
      continue;
    }
    const kind = item ? "list" : "paragraph";
    if (open?.kind !== kind) {
      open = { kind, lines: [] };
      blocks.push(open);
    }
    open.lines.push(piecesOf(item?.[1] ?? line));
  }
  return blocks;
}

function piecesOf(line: string): Piece[] {
  const pieces: Piece[] = [];
  let end = 0;
  for (const found of line.matchAll(PARTS)) {
    if (found.index > end) pieces.push({ text: line.slice(end, found.index) });
    const [whole, strong, code = "", link, to = ""] = found;
    if (strong !== undefined) pieces.push({ text: strong, as: "strong" });
    else if (link !== undefined) pieces.push({ text: link, as: "link", to });
    else pieces.push({ text: code, as: "code", ...(PAGE.test(code) ? { to: code } : {}) });
    end = found.index + whole.length;
  }
  if (end < line.length) pieces.push({ text: line.slice(end) });
  return pieces;
}
