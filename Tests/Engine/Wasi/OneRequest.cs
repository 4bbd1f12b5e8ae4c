using System.Net;
using System.Net.Sockets;
using System.Text;

namespace WasmJit.Tests;

/// <summary>A server for one request, whose body is in chunks: it keeps the bytes, and answers that all is well.</summary>
internal sealed class OneRequest : IDisposable
{
    private readonly TcpListener listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource patience = new(Eventually.Patience);

    internal OneRequest()
    {
        listener.Start();
        Received = Task.Run(AnswerAsync);
    }

    /// <summary>Its address and port.</summary>
    internal string Authority => listener.LocalEndpoint.ToString()!;

    /// <summary>What has come.</summary>
    internal Task<string> Received { get; }

    private async Task<string> AnswerAsync()
    {
        using Socket client = await listener.AcceptSocketAsync(patience.Token);
        byte[] buffer = new byte[4096];
        string text = "";
        while (!text.Contains("\r\n0\r\n", StringComparison.Ordinal) || !text.EndsWith("\r\n\r\n", StringComparison.Ordinal))
        {
            int count = await client.ReceiveAsync(buffer, patience.Token);
            if (count == 0) return text;
            text += Encoding.Latin1.GetString(buffer, 0, count);
        }
        await client.SendAsync("HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n"u8.ToArray(), patience.Token);
        return text;
    }

    public void Dispose()
    {
        patience.Cancel();
        listener.Dispose();
        patience.Dispose();
    }
}
