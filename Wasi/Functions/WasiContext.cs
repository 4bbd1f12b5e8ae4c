namespace WasmJit.Wasi;

/// <summary>The state that all functions of a host share.</summary>
internal sealed class WasiContext(WasiOptions options, DescriptorTable table)
{
    /// <summary>The memory for calling instances that have none.</summary>
    internal Memory? Attached { get; set; }

    /// <summary>The memory that a call works on: that of the instance that calls.</summary>
    internal GuestMemory MemoryOf(Caller? caller) => new(caller is not null && caller.TryGetMemory(out Memory? memory) ? memory : Attached);

    internal DescriptorTable Table { get; } = table;

    /// <summary>Fills a buffer with random bytes.</summary>
    internal WasiRandomSource Random { get; } = SeededRandom.Of(options);

    /// <summary>What the guest may still write; null without a limit.</summary>
    internal WriteQuota? Quota { get; } = WriteQuota.Of(options);

    internal Waiter Waiter { get; } = new(new GuestClock(options.Time), options.Cancellation);

    internal byte[][] Arguments { get; } = TextOf(options.Arguments);

    internal byte[][] Environment { get; } = TextOf(options.Environment);

    private static byte[][] TextOf(IReadOnlyList<string> arguments)
    {
        // The code that makes a list of an array would be compiled at its first use.
        string[] all = arguments as string[] ?? [.. arguments];
        var text = new byte[all.Length][];
        for (int i = 0; i < text.Length; i++) text[i] = Text(all[i], nameof(WasiOptions.Arguments));
        return text;
    }

    private static byte[][] TextOf(IReadOnlyDictionary<string, string> environment)
    {
        var text = new List<byte[]>(environment.Count);
        foreach (KeyValuePair<string, string> variable in environment) text.Add(Variable(variable));
        return text.ToArray();
    }

    private static byte[] Variable(KeyValuePair<string, string> variable)
    {
        if (variable.Key.Length == 0 || variable.Key.Contains('='))
            throw new ArgumentException($"\"{variable.Key}\" cannot be the name of a variable.");
        return Text($"{variable.Key}={variable.Value}", nameof(options.Environment));
    }

    /// <summary>Text as C has it, with a zero at its end.</summary>
    private static byte[] Text(string text, string what)
    {
        if (text.Contains('\0')) throw new ArgumentException("Text with a zero in it cannot be given to a guest.", what);
        return System.Text.Encoding.UTF8.GetBytes(text + "\0");
    }
}
