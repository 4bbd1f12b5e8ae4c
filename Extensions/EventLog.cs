using System.Diagnostics.Tracing;
using System.Globalization;
using Microsoft.Extensions.Logging;

namespace WasmJit;

/// <summary>Hands events of the event source <c>WasmJit</c> on to a logger.</summary>
internal sealed class EventLog : EventListener
{
    private const string Source = "WasmJit";

    private readonly ILogger? logger;
    private readonly List<EventSource> early = [];

    internal EventLog(ILogger logger)
    {
        lock (early)
        {
            this.logger = logger;
            foreach (EventSource source in early) Listen(source);
            early.Clear();
        }
    }

    /// <summary>The base class calls this in its constructor, before there is a logger.</summary>
    protected override void OnEventSourceCreated(EventSource eventSource)
    {
        if (eventSource.Name != Source) return;
        lock (early)
        {
            if (logger is null) early.Add(eventSource);
            else Listen(eventSource);
        }
    }

    private void Listen(EventSource source) => EnableEvents(source, LevelOf(logger!));

    private static EventLevel LevelOf(ILogger logger) => logger.IsEnabled(LogLevel.Debug) ? EventLevel.Verbose
        : logger.IsEnabled(LogLevel.Information) ? EventLevel.Informational : EventLevel.Warning;

    protected override void OnEventWritten(EventWrittenEventArgs eventData)
    {
        if (logger is null || eventData.EventSource.Name != Source) return;
        LogLevel level = eventData.Level switch
        {
            EventLevel.Critical => LogLevel.Critical,
            EventLevel.Error => LogLevel.Error,
            EventLevel.Warning => LogLevel.Warning,
            EventLevel.Verbose => LogLevel.Debug,
            _ => LogLevel.Information,
        };
        logger.Log(level, new EventId(eventData.EventId, eventData.EventName), eventData, null, static (data, _) => TextOf(data));
    }

    private static string TextOf(EventWrittenEventArgs data) => data.Message is { } format
        ? string.Format(CultureInfo.InvariantCulture, format, [.. data.Payload ?? []])
        : $"{data.EventName}: {string.Join(", ", data.Payload ?? [])}";
}
