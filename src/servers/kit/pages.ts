export interface Page<Item, Cursor> {
  readonly items: readonly Item[];
  /** Where the next page is; undefined after the last. */
  readonly next: Cursor | undefined;
}

/** Where to go on: on the page of `cursor` (undefined: the first), after its first `skip` items. */
export interface Position<Cursor> {
  readonly cursor: Cursor | undefined;
  readonly skip: number;
}

export interface Collected<Item, Cursor> {
  readonly items: readonly Item[];
  /** Undefined: that was all. */
  readonly next: Position<Cursor> | undefined;
  readonly pages: number;
}

export interface CollectOptions<Cursor> {
  /** Items at most. */
  readonly cap: number;
  readonly from?: Position<Cursor> | undefined;
  /** Requests at most, whatever the pages hold: a vendor may send empty ones for ever. */
  readonly maxPages?: number;
  /** Told after each page. */
  readonly onPage?: (pages: number, items: number) => void;
}

/** Reads page after page until there are `cap` items or no more. */
export async function collectPages<Item, Cursor>(
  fetchPage: (cursor: Cursor | undefined) => Promise<Page<Item, Cursor>>,
  { cap, from = { cursor: undefined, skip: 0 }, maxPages = 50, onPage }: CollectOptions<Cursor>,
): Promise<Collected<Item, Cursor>> {
  const items: Item[] = [];
  let { cursor, skip } = from;
  for (let pages = 1; ; pages++) {
    const page = await fetchPage(cursor);
    const room = cap - items.length;
    const fresh = page.items.slice(skip, skip + room);
    for (const item of fresh) items.push(item);
    onPage?.(pages, items.length);
    const used = skip + fresh.length;
    if (used < page.items.length) return { items, next: { cursor, skip: used }, pages };
    if (page.next === undefined) return { items, next: undefined, pages };
    if (items.length >= cap || pages >= maxPages)
      return { items, next: { cursor: page.next, skip: 0 }, pages };
    cursor = page.next;
    skip = 0;
  }
}
