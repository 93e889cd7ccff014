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
  put(conversation: Conversation): Promise<void> {
    return this.change((store) => store.put(conversation));
  }
  remove(id: string): Promise<void> {
    return this.change((store) => store.delete(id));
  }
  clear(): Promise<void> {
    return this.change((store) => store.clear());
  }

  // Left to itself, a change is committed when the page has heard that it was made. A page that
  // goes away hears nothing, and the browser would undo it.
  private async change(make: (store: IDBObjectStore) => IDBRequest): Promise<void> {
    const store = this.store("readwrite");
    const made = settled(make(store));
    store.transaction.commit();
    await made;
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
