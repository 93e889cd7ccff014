import type { Conversation } from "./conversation";

// Where conversations are kept. Writes are best effort: `onFailure` of the library hears of errors.
export interface Shelf {
  all(): Promise<Conversation[]>;
  get(id: string): Promise<Conversation | undefined>;
  put(conversation: Conversation): Promise<void>;
  remove(id: string): Promise<void>;
  clear(): Promise<void>;
}

const DATABASE = "minke";
const STORE = "conversations";

function settled<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error("the browser's database failed"));
  });
}

class DatabaseShelf implements Shelf {
  constructor(private readonly database: IDBDatabase) {}

  all(): Promise<Conversation[]> {
    return settled(this.store("readonly").getAll());
  }
  get(id: string): Promise<Conversation | undefined> {
    return settled(this.store("readonly").get(id));
  }
  async put(conversation: Conversation): Promise<void> {
    await settled(this.store("readwrite").put(conversation));
  }
  async remove(id: string): Promise<void> {
    await settled(this.store("readwrite").delete(id));
  }
  async clear(): Promise<void> {
    await settled(this.store("readwrite").clear());
  }

  private store(mode: IDBTransactionMode): IDBObjectStore {
    return this.database.transaction(STORE, mode).objectStore(STORE);
  }
}

// Rejects where the browser keeps nothing, as in some private windows.
export async function openShelf(): Promise<Shelf> {
  const opening = indexedDB.open(DATABASE, 1);
  opening.onupgradeneeded = () => {
    opening.result.createObjectStore(STORE, { keyPath: "id" });
  };
  const database = await settled(opening);
  // Otherwise a later version of the page in another tab would wait for this one for ever.
  database.onversionchange = () => database.close();
  return new DatabaseShelf(database);
}
