using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using WasmJit;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Adds WasmJit to an application's services.</summary>
public static class WasmJitServiceCollectionExtensions
{
    /// <summary>
    /// Adds an <see cref="Engine"/> and <see cref="WasmModules"/>, one of each for the application. Calling it again adds to the options.
    /// </summary>
    /// <param name="services">The services.</param>
    /// <param name="configure">Sets options. A configuration can set them, too: <c>services.Configure&lt;WasmJitOptions&gt;(section)</c>.</param>
    /// <returns>What adds modules.</returns>
    public static WasmJitBuilder AddWasmJit(this IServiceCollection services, Action<WasmJitOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        services.AddOptions();
        if (configure is not null) services.Configure(configure);
        services.TryAddSingleton(static provider => new EventLog(LoggerOf(provider, typeof(Engine))));
        services.TryAddSingleton(static provider =>
        {
            WasmJitOptions options = provider.GetRequiredService<IOptions<WasmJitOptions>>().Value;
            if (options.LogEvents) provider.GetRequiredService<EventLog>();
            return new Engine(options.Engine);
        });
        services.TryAddSingleton(static provider => new WasmModules(
            provider, provider.GetRequiredService<Engine>(), provider.GetRequiredService<IOptions<WasmJitOptions>>().Value, LoggerOf(provider, typeof(WasmModules))));
        services.TryAddScoped<ScopedInstances>();
        return new WasmJitBuilder(services);
    }

    /// <summary>A logger; one that writes nothing in applications without logging.</summary>
    private static ILogger LoggerOf(IServiceProvider services, Type category) =>
        (services.GetService<ILoggerFactory>() ?? NullLoggerFactory.Instance).CreateLogger(category.FullName!);
}
