/** Who may do what: `/api/tokens`. */

export const SCOPES = ["ingest", "read", "act", "admin"] as const;
export type Scope = (typeof SCOPES)[number];

/** What is known of a token; its text is told once, when it is made. */
export interface Token {
  id: string;
  name: string;
  scopes: Scope[];
  tenant: string;
  created: string;
  expires: string | null;
  expired: boolean;
}

export interface MadeToken extends Token {
  token: string;
}

/** `required`: whether this server asks everybody for one. */
export interface Tokens {
  required: boolean;
  tokens: Token[];
}
