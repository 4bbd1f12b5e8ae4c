using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using WasmJit.AspNetCore;
using WasmJit.Components;

namespace WasmJit;

/// <summary>Components as endpoints.</summary>
public static class WasmEndpointRouteBuilderExtensions
{
    /// <summary>
    /// Has a component answer all requests at a path and below it. It exports <c>wasi:http/incoming-handler</c> or <c>wasi:http/handler</c>, and gets paths as clients send them. What it does
    /// wrong is logged in the category <c>WasmJit</c>; the client gets the status of an error and nothing else, or a response that breaks off if it had begun.
    /// </summary>
    /// <param name="endpoints">The application.</param>
    /// <param name="path">The path, such as <c>/plugins/shop</c>; <c>/</c> for all.</param>
    /// <param name="component">The component, of an engine with <c>EngineOptions.Interruptible</c>: otherwise nothing stops its loops.</param>
    /// <param name="host">What its instances have; if null no files, no network, and the standard streams of the process. The caller disposes of it.</param>
    /// <param name="options">Limits; the defaults if null.</param>
    /// <exception cref="KeyNotFoundException">The component answers no requests.</exception>
    public static IEndpointConventionBuilder MapWasm(
        this IEndpointRouteBuilder endpoints, string path, WasmComponent component, WasiComponentHost? host = null, WasiHttpHandlerOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        ArgumentNullException.ThrowIfNull(path);
        ArgumentNullException.ThrowIfNull(component);
        IServiceProvider services = endpoints.ServiceProvider;
        ILogger? logger = services.GetService<ILoggerFactory>()?.CreateLogger("WasmJit");
        WasiComponentHost given = host ?? new WasiComponentHost();
        var endpoint = new WasmEndpoint(component, given, options ?? new WasiHttpHandlerOptions(), logger);
        if (services.GetService<IHostApplicationLifetime>() is { } lifetime)
        {
            lifetime.ApplicationStopped.Register(() =>
            {
                endpoint.Dispose();
                if (host is null) given.Dispose();
            });
        }
        RouteGroupBuilder group = endpoints.MapGroup(path.TrimEnd('/'));
        group.Map("/{**rest}", (RequestDelegate)endpoint.AnswerAsync);
        return group;
    }
}
