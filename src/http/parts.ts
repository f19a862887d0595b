const encoder = new TextEncoder()

/**
 * Sends the parts of a JSON text while they are made, as fast as the client takes them.
 * @param headers further headers
 */
export const answerParts = (parts: AsyncGenerator<string>, headers: Record<string, string> = {}): Response =>
  new Response(
    new ReadableStream<Uint8Array>({
      async pull(controller) {
        const { done, value } = await parts.next()
        if (done) controller.close()
        else controller.enqueue(encoder.encode(value))
      },
      async cancel() {
        await parts.return(undefined)
      },
    }),
    { headers: { 'content-type': 'application/json', ...headers } },
  )
