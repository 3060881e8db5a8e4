// Types of martlet.js; docs/javascript.md says what it does.

/** A place in a channel's stream of publications. */
export interface StreamPosition {
  epoch: string;
  offset: number;
}

/** Who published, joined or left. */
export interface ClientInfo {
  user: string;
  client: string;
  conn_info?: unknown;
  chan_info?: unknown;
}

export interface Publication<Data = any> {
  data: Data;
  /** Its place in the channel's stream, if the channel has one. */
  offset?: number;
  /** Who published it, if it was a client. */
  info?: ClientInfo;
  tags: Record<string, string>;
  /** Whether it was missed while there was no connection. */
  recovered: boolean;
}

export interface History<Data = any> extends StreamPosition {
  publications: Publication<Data>[];
}

export interface HistoryOptions {
  /** None: only the position; −1: as many as the server gives at once. */
  limit?: number;
  since?: StreamPosition;
  reverse?: boolean;
}

export type TransportName = 'websocket' | 'http_stream' | 'sse' | 'poll';
export type ClientState = 'disconnected' | 'connecting' | 'connected';
export type SubscriptionState = 'unsubscribed' | 'subscribing' | 'subscribed';

export interface SubscriptionOptions {
  token?: string;
  /** Called when there is no token yet and whenever a fresh one is needed; empty: there is none to be had. */
  getToken?: (context: { channel: string }) => string | Promise<string>;
  /** Whether to ask for what was missed after a reconnect; true when not said. */
  recoverable?: boolean;
  /** Whether to be told who comes and goes. */
  joinLeave?: boolean;
  /** The first subscribe asks for what came after this. */
  since?: StreamPosition;
  /** Acknowledge publications under this name, when their listeners are done with them; those that are not come again. */
  consumer?: string;
}

export interface ClientOptions {
  token?: string;
  getToken?: () => string | Promise<string>;
  /** Goes to the server with the connect command. */
  data?: unknown;
  /** What the server is told that this client is. */
  name?: string;
  /** What may be tried, best first; all four when not said. */
  transports?: TransportName[];
  /** So many commands may wait for a connection, however long; else no longer than for a reply. */
  queue?: number;
  /** Whether positions outlive the page: after a reload subscriptions go on where they were. */
  persist?: boolean;
  WebSocket?: typeof globalThis.WebSocket;
  fetch?: typeof globalThis.fetch;
  EventSource?: typeof globalThis.EventSource;
  storage?: Pick<Storage, 'getItem' | 'setItem'>;
  setTimeout?: (f: () => void, milliseconds: number) => any;
  clearTimeout?: (timer: any) => void;
  random?: () => number;
  now?: () => number;
}

/** What a command, or the client, failed with: codes from 100 on are the server's. */
export class MartletError extends Error {
  constructor(code: number, message: string, temporary?: boolean, options?: ErrorOptions);
  readonly name: 'MartletError';
  readonly code: number;
  /** Whether the same may succeed later. */
  readonly temporary: boolean;
}

export interface Reason {
  code: number;
  reason: string;
}

export interface SubscribedEvent extends StreamPosition {
  wasRecovering: boolean;
  /** False after `wasRecovering`: the page has to load its state anew. */
  recovered: boolean;
  recoverable: boolean;
  /** How many publications follow that were missed. */
  missed: number;
  /** There where the server has agreed to acknowledgements. */
  consumer?: string;
}

export interface SubscriptionEvents {
  subscribing: Reason;
  subscribed: SubscribedEvent;
  unsubscribed: Reason;
  publication: Publication;
  join: ClientInfo;
  leave: ClientInfo;
  error: MartletError;
}

/** Those with a `channel` are of channels that the server subscribes this client to. */
export interface ClientEvents {
  connecting: Reason & { delay: number };
  connected: { client: string; version: string; data?: any };
  disconnected: Reason;
  error: MartletError;
  message: { data: any };
  subscribed: SubscribedEvent & { channel: string };
  unsubscribed: Reason & { channel: string };
  publication: Publication & { channel: string };
  join: ClientInfo & { channel: string };
  leave: ClientInfo & { channel: string };
}

declare class Emitter<Events> {
  /** Returns what takes the listener off. */
  on<Type extends keyof Events>(type: Type, listener: (event: Events[Type]) => void): () => void;
  off<Type extends keyof Events>(type: Type, listener: (event: Events[Type]) => void): void;
}

export class Subscription extends Emitter<SubscriptionEvents> {
  private constructor();
  readonly channel: string;
  readonly state: SubscriptionState;
  subscribe(): void;
  unsubscribe(): void;
  publish(data: unknown): Promise<void>;
  presence(): Promise<{ clients: Record<string, ClientInfo> }>;
  presenceStats(): Promise<{ clients: number; users: number }>;
  history(options?: HistoryOptions): Promise<History>;
}

export class Client extends Emitter<ClientEvents> {
  /** Several addresses: the next is tried when one fails. */
  constructor(url?: string | string[], options?: ClientOptions);
  readonly state: ClientState;
  /** What it speaks over, or tries to. */
  readonly transport: TransportName;
  connect(): void;
  disconnect(): void;
  subscription(channel: string, options?: SubscriptionOptions): Subscription;
  remove(subscription: Subscription): void;
  publish(channel: string, data: unknown): Promise<void>;
  history(channel: string, options?: HistoryOptions): Promise<History>;
  presence(channel: string): Promise<{ clients: Record<string, ClientInfo> }>;
  presenceStats(channel: string): Promise<{ clients: number; users: number }>;
  rpc(method: string, data?: unknown): Promise<{ data: any }>;
  send(data: unknown): Promise<void>;
}
