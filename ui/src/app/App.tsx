import { QueryClientProvider } from "@tanstack/react-query";
import { useState } from "react";
import { BrowserRouter } from "react-router";
import { newQueryClient } from "../api/questions";
import { WordsProvider } from "../words";
import { Shell } from "./Shell";
import { ThemeProvider } from "./theme";

/** The page: words, colours, questions and the address around the shell. */
export function App() {
  const [client] = useState(newQueryClient);
  return (
    <QueryClientProvider client={client}>
      <WordsProvider>
        <ThemeProvider>
          {/* A search box shows what the address says: as a transition, that would come too late for fast typing. */}
          <BrowserRouter useTransitions={false}>
            <Shell />
          </BrowserRouter>
        </ThemeProvider>
      </WordsProvider>
    </QueryClientProvider>
  );
}
