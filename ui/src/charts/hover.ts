import type uPlot from "uplot";
import styles from "./charts.module.css";

export interface HoverText {
  title: string;
  rows: { side?: "baseline" | "candidate"; colour?: string; name: string; value: string }[];
}

/** Shows the numbers under the pointer. `read` says what stands at an index of the data. */
export function hover(read: (index: number) => HoverText | null): uPlot.Plugin {
  const box = document.createElement("div");
  box.className = styles.hover ?? "";
  box.hidden = true;
  return {
    hooks: {
      init: (plot) => {
        plot.over.append(box);
        plot.over.addEventListener("mouseleave", () => {
          box.hidden = true;
        });
      },
      setCursor: (plot) => {
        const { idx, left } = plot.cursor;
        const text = idx === null || idx === undefined ? null : read(idx);
        box.hidden = text === null || left === undefined || left < 0;
        if (text === null || left === undefined) return;
        box.replaceChildren(...elementsOf(text));
        const over = plot.over.clientWidth;
        box.style.left = `${left > over / 2 ? left - box.offsetWidth - 12 : left + 12}px`;
      },
    },
  };
}

function elementsOf(text: HoverText): HTMLElement[] {
  const title = document.createElement("strong");
  title.textContent = text.title;
  const rows = text.rows.map((row) => {
    const line = document.createElement("div");
    if (row.side) line.dataset.side = row.side;
    if (row.colour) line.style.borderLeftColor = row.colour;
    const [name, value] = [document.createElement("span"), document.createElement("b")];
    name.textContent = row.name;
    value.textContent = row.value;
    line.append(name, value);
    return line;
  });
  return [title, ...rows];
}
